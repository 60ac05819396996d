"""What is checked of a claim, one thing a file; each rule adds what holds, what does not, and what it cannot tell."""
