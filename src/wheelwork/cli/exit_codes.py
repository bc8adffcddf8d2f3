"""Exit codes of the command line."""

FINISHED = 0
FAILURE = 1  # also where points have no result
BAD_INPUT = 2
INCOMPLETE = 3  # points are missing in a store
INTERRUPTED = 130  # by Ctrl-C
PIPE_CLOSED = 141  # by the reader of the output, as the shell reports it
TERMINATED = 143  # by SIGTERM
