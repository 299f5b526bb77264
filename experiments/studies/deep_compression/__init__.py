"""Weights of few bits, shared weights with Huffman codes, and entropy-guided pruning of large trees from pixels."""
