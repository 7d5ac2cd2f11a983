"""From image files and video frames to aligned faces: landmarks, alignment, lighting and the face store."""
