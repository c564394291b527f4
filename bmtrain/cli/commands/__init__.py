"""The commands: each parses, calls its workflow and shows what comes.

A command imports its workflow and its screen when it is called: ``--help`` stays quick.
"""
