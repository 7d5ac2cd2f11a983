"""The recognition methods of the paper's tables, each re-run under the project's subject-wise folds.

Every method module offers `fit(train, validation, settings, run, classes) -> model`, and every model
`predict_proba(clips or peak faces) -> float32 (N, classes)`. What a method's paper tunes is chosen on the validation
subjects with these held out; the method is then fitted on the training and the validation subjects together. `fit`
writes `checkpoint.pt` and `history.csv` to `run.folder`.
"""
