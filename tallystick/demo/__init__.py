"""The demo: the main job, played on a site of its own, with the sandbox for the outside."""
