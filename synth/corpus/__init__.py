"""The rationales as a whole: the card, what they give away of the label, exports."""
