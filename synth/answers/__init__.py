"""What a teacher's answer says: the text is read, shown and turned into claims."""
