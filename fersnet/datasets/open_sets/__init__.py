"""The sets of real people that are open to everybody: a file each, with reference, terms and where it is to be had."""
