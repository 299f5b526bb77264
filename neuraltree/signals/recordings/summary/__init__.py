"""What is in recordings, and what is doubtful about them."""
