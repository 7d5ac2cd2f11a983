"""What people see in synthetic faces: a blinded draw as a page, and their answers as a table beside the judge's."""
