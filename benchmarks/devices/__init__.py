"""Our trees and other small models on emulated microcontrollers: the same tasks, the same rows, one meter."""
