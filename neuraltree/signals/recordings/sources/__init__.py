"""Where recordings lie: files of a folder or an archive, and what paths and lists of labels say of them."""
