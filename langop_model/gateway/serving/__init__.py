"""Starting, reloading and stopping: the supervisor, its workers on one listening socket, and the translator's process."""
