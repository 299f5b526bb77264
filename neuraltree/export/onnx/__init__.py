"""Trees as ONNX models."""
