"""The formats of recordings, one file each."""
