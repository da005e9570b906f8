"""Where an application that fcgipm pre-forks is forked: see prefork.h."""
import select


def prefork_here():
    """What stands before the call happens once, what stands behind it in every worker."""
    try:
        select.select([0], [], [], 0)
    except OSError:  # there is no descriptor 0: nobody pre-forks it
        pass
