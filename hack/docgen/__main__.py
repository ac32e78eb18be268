"""`make docs`: write every page and picture that is made from the code."""

from docgen import diagrams, made

for module in made.modules():
    module.main()
diagrams.main()
