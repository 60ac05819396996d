"""Who grades what: items, controls, and the design that deals them to raters."""
