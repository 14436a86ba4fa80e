"""The commands of `langop-model`, a module for each. `cli` loads the one that is asked for, and no other."""
