"""The sources' panels of convergence: six optimisers, two activations, two rates, trees and networks."""
