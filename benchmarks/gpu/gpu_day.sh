#!/usr/bin/env bash
# One run on a GPU machine that may have no network, under 8 minutes: is it right, how fast is it, and
# what would make it faster. README.md beside this file tells how to prepare and how to read it.
#
#   here:   bash benchmarks/gpu/gpu_day.sh prepare .whl     wheels and these scripts, into an ignored folder
#   there:  bash .whl/gpu_day.sh "$OUT" .whl                from the root of the checkout
#
# Every part has its own limit and its own process: one that fails or hangs costs the others nothing.
# The order is that of worth. It leaves at most 7 files in the folder OUT: log.txt, results.jsonl,
# kernels.txt, profile.json, peer.json, the benchmark's record, tests.txt.
set -u
here=$(cd "$(dirname "$0")" && pwd)
THIRD_PARTY="annotated-types==0.8.0 monai==1.6.1 pluggy==1.7.0 pycox==0.3.0 pydantic==2.14.3
  pydantic_core==2.50.4 timm-3d==1.0.1 torchtuples==0.2.2 typing-inspection==0.4.5 simpleitk==2.5.7"

if [ "${1:-}" = prepare ]; then
  wheels=$2
  mkdir -p "$wheels"
  # shellcheck disable=SC2086
  python3 -m pip download --no-deps --only-binary=:all: --python-version 3.12 --implementation cp \
    --platform manylinux_2_28_x86_64 --platform manylinux_2_27_x86_64 \
    --platform manylinux_2_17_x86_64 --platform manylinux2014_x86_64 \
    --platform manylinux1_x86_64 -d "$wheels" $THIRD_PARTY || exit 1
  rm -f "$wheels"/mtsbench*.whl
  for package in . plugins/mtsbench-deepmts plugins/mtsbench-cohorts plugins/mtsbench-heads \
    plugins/mtsbench-singletask; do
    python3 -m pip wheel -q --no-deps --no-build-isolation -w "$wheels" "$package" || exit 1
  done
  [ "$here" = "$(cd "$wheels" && pwd)" ] || cp "$here"/gpu_day.sh "$here"/*.py "$wheels"
  git rev-parse HEAD >"$wheels/commit"
  bytes=$(du -cb "$wheels"/* | tail -1 | cut -f1)
  tree=$(git ls-files -z | xargs -0 du -cb | tail -1 | cut -f1)
  echo "$(((bytes + tree) / 1048576)) MiB with the working tree"
  exit 0
fi

if [ $# != 2 ]; then
  echo "usage: bash $0 prepare FOLDER | bash $0 OUT FOLDER|none" >&2
  exit 2
fi
OUT=$1 WHEELS=$2 DEVICE=${DEVICE:-cuda} SIZE=${SIZE:-128} STEPS=${STEPS:-20}
PATIENCE=${PATIENCE:-1} LATEST=$((${LATEST:-440} * ${PATIENCE:-1})) # a CPU takes longer
mkdir -p "$OUT"
OUT=$(cd "$OUT" && pwd)
LOG=$OUT/log.txt RESULTS=$OUT/results.jsonl
touch "$RESULTS"
WORK=$(mktemp -d)
export PYTHONUNBUFFERED=1 PYTHONPATH=${PYTHONPATH:-} MTSBENCH_CACHE=$WORK/cache
export TORCHINDUCTOR_CACHE_DIR=$WORK/inductor
python=$(command -v python3)
began=$(date +%s)
trap 'rm -rf "$WORK"' EXIT

part() { # part NAME SECONDS COMMAND...
  local name=$1 limit=$(($2 * PATIENCE)) start code
  shift 2
  case " ${SKIP:-} " in *" $name "*) return ;; esac
  start=$(date +%s)
  if [ $((start - began)) -gt "$LATEST" ]; then
    echo "== $name: left out, no time" | tee -a "$LOG"
    return
  fi
  echo "== $name: $*" >>"$LOG"
  timeout -k 5 "$limit" "$@" >>"$LOG" 2>&1
  code=$?
  echo "== $name: code $code, $(($(date +%s) - start)) s, at $((start - began)) s" | tee -a "$LOG"
}
day() { # day NAME SECONDS PART-OF-GPU_DAY.PY [VARIANT...]
  part "$1" "$2" "$python" "$here/gpu_day.py" "${@:3}" \
    --device "$DEVICE" --size "$SIZE" --steps "$STEPS" --out "$RESULTS"
}

if [ "$WHEELS" != none ]; then
  part install 60 "$python" -m pip install -q --no-index --no-deps --no-compile --no-cache-dir \
    --upgrade --target "$WORK/site" "$WHEELS"/*.whl
  export PYTHONPATH=$WORK/site
  # pycox warns when it is compiled on Python 3.12, and the tests turn warnings into errors.
  part bytecode 30 "$python" -m compileall -q -j 0 "$WORK/site/pycox" "$WORK/site/mtsbench" "$WORK/site/monai"
  [ -f "$WHEELS/commit" ] && echo "commit $(cat "$WHEELS/commit")" >>"$LOG"
fi
command -v nvidia-smi >/dev/null && nvidia-smi >>"$LOG" 2>&1

day env 40 env
day parity 90 parity                                  # right?
day today 60 variant bf16 contiguous tf32             # today's step, and what it is compared with
day convolutions 45 convs                             # where small channels cost
day kernels 45 kernels bf16                           # which kernels take the time
sed -n '/^== bf16: ms a step/,/^== kernels: code/p' "$LOG" >"$OUT/kernels.txt"
day graph 40 variant eager-graph                      # what launches cost
day official 60 official                              # does training.compilation=on compile?
day compile 150 variant compile                       # what fusion brings
part profile 60 bash -c "'$python' -m mtsbench profile --model deepmts --dataset npc --preset paper \
  --device '$DEVICE' --set dataset.cases=24 --warm-up 10 --steps $((STEPS * 5)) \
  --set preprocessing.size=$SIZE,$SIZE,$SIZE --json >'$OUT/profile.json'"
part benchmark 100 "$python" -m mtsbench benchmark --device "$DEVICE" --warm-up 5 \
  --steps $((STEPS + 10)) --out "$OUT" --only "deepmts-training-$SIZE" --only "deepmts-inference-$SIZE" \
  --only "monai-segresnet-training-$SIZE"
part peer 90 bash -c "'$python' benchmarks/peers/plain_monai.py --device '$DEVICE' --size '$SIZE' \
  --steps $((STEPS / 2 + 1)) --repeats 2 --peers plain --json >'$OUT/peer.json'"
part run 60 "$python" -m mtsbench run --model deepmts --dataset npc --preset demo --device "$DEVICE" \
  --folds 2 --set dataset.cases=24 --out "$WORK/runs"
part tests 60 bash -c "'$python' -m pytest -q -x -n 8 -p no:cacheprovider -o filterwarnings=default \
  tests/test_engine_precision.py tests/test_engine_compute.py tests/test_engine_sources.py \
  tests/test_engine_energy.py tests/test_machine.py plugins/mtsbench-deepmts/tests/test_deepmts_losses.py \
  >'$OUT/tests.txt' 2>&1; code=\$?; tail -3 '$OUT/tests.txt'; exit \$code"
day graphs 90 variant compile-graphs                  # what torch.compile with CUDA graphs brings

echo "total $(($(date +%s) - began)) s" | tee -a "$LOG"
cat "$RESULTS"
head -25 "$OUT/kernels.txt"
