"""The fixed judge of synthetic faces: one network for rendered faces, trained once on people of its own."""
