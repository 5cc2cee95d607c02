"""One module for each way to show that a claim is true; each looks at the facts and says what they prove."""
