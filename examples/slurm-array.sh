#!/bin/bash
# A sweep as a job array of SLURM: every job computes one part of the points into one store.
#
#     sbatch --export=ALL,FILE=rotor.toml,STORE=runs/rotor examples/slurm-array.sh
#     wheelwork status runs/rotor                 # how far it is, at any time
#     wheelwork resume runs/rotor --out results   # when all are done: table, netCDF, figures
#
# Send it again after a time limit or a failure: what is stored is not computed again. The store
# must lie on a file system that all nodes share and that knows locks (flock), as NFS 4 does.

#SBATCH --job-name=wheelwork
#SBATCH --array=1-16
#SBATCH --ntasks=1
#SBATCH --cpus-per-task=4
#SBATCH --mem-per-cpu=2G
#SBATCH --time=02:00:00
#SBATCH --output=wheelwork-%A_%a.log

set -euo pipefail

parts=16 # as in --array above, also where only some are sent again (sbatch --array=3,5 ...)
wheelwork run "$FILE" --store "$STORE" --quiet \
    --shard "$SLURM_ARRAY_TASK_ID/$parts" --workers "$SLURM_CPUS_PER_TASK"
