"""`python -m lesion.drawn`: draw pictures with their masks."""

from lesion.drawn.scene import main

if __name__ == "__main__":
    main()
