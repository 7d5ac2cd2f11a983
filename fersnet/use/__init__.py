"""Using trained models: pictures in, probabilities or pictures out."""
