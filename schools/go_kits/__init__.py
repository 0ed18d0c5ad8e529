"""The responder's go-kit: what to take along when there is no network.

contents   what a kit says, gathered from the plan, the school and the people
writing    the same as a tagged PDF and as one HTML file that needs nothing else
shelf      the last kits on the disk, readable without the database
making     one school's kit: gather, write, put on the shelf
standing   is a kit there, and is it still true
"""
