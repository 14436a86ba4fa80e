"""How results are written for people and programs: text, Markdown, JSON, HTML. What they say is decided in the renderer."""
