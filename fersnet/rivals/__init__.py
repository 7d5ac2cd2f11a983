"""The synthesis rivals CAAE, CycleGAN, ExprGAN and StarGAN, behind one interface.

Each module has `fit(faces, settings, run, identity)`, which trains and writes a checkpoint, and
`load(checkpoint, device)`, which returns a synthesizer with `synthesize(images, target)`.
"""
