"""What is outside of any project: processes, files, git, buf, the programs on PATH."""
