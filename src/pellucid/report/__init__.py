"""What a person looks at: maps as pictures."""
