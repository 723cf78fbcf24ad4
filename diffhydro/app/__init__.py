"""The door: command line, case files, configs. Strings and files end here."""
