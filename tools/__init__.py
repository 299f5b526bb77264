"""Commands that write the project's own docs and measure its structure; not in the wheel."""
