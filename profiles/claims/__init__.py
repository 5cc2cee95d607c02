"""What shows that a claim is true: routes look at facts (routes/), gathering puts them side by side, states decide."""
