#!/usr/bin/env bash
# tests/sim/play_test.sh MILLRACE: the promotion day through HTTP, as scripts/up plays it: twice into one company, ended by a
# signal in between, and the books are clean after all of it. In cmocka's words, for scripts/count-cases.
set -uo pipefail
millrace=$(realpath "$1") folder=$(mktemp -d) server="" failed=()
cd "$folder" || exit 1
clean_up() {
    [ -z "$server" ] || kill -TERM "$server" 2>/dev/null
    wait
    rm -rf "$folder"
}
trap clean_up EXIT
case_is() { # NAME CODE: what came of it
    if [ "$2" -eq 0 ]; then echo "[       OK ] $1"; else
        echo "[  FAILED  ] $1"
        failed+=("$1")
        cat said.txt errors.txt 2>/dev/null | tail -20
    fi
}
"$millrace" init --db sqlite:day.db && MILLRACE_KEY=$("$millrace" key add --db sqlite:day.db --name play --scope admin) || exit 1
export MILLRACE_KEY
"$millrace" serve --db sqlite:day.db --listen 127.0.0.1:0 > server.txt &
server=$!
for _ in $(seq 200); do
    grep -q '^ready ' server.txt && break
    sleep 0.05
done
url=$(sed -n 's/^ready //p' server.txt)
play() { # FLAGS: what a player says goes to said.txt
    "$millrace" simulate promotion --against "$url" --seed 5 "$@" > said.txt 2> errors.txt
}

play --orders 80 --pace 0 && grep -q 'the day is over: 6[0-9] orders taken' said.txt
case_is "a day is played to its end" $?
grep -q 'ships order' said.txt && grep -q 'payment fails' said.txt && grep -q 'fewer than booked' said.txt && grep -q 'receives .* late' said.txt
case_is "parcels leave, payments fail, goods come late, a count finds less" $?
cp said.txt first.txt

: > said.txt
(until grep -q '^Fri ' said.txt; do sleep 0.1; done; kill -TERM "$(cat player)") &
stopper=$!
sh -c 'echo $$ > player; exec "$0" "$@"' "$millrace" simulate promotion --against "$url" --orders 80 --pace 60 > said.txt 2> errors.txt
[ $? -eq 0 ] && grep -q '^stopped: ' said.txt
case_is "a signal ends a day cleanly" $?
kill "$stopper" 2> /dev/null
wait "$stopper" 2> /dev/null

sleep 1 # ids of a day begin with the second in which it began
play --orders 80 --pace 0 && grep -q 'the day is over' said.txt
case_is "another day fits into the same company" $?

"$millrace" simulate promotion --against "$url" --key nobody --orders 80 > said.txt 2> errors.txt
[ $? -eq 2 ] && grep -q 401 errors.txt
case_is "a key that is none is told" $?

"$millrace" check --db sqlite:day.db > said.txt 2> errors.txt
case_is "the books are clean" $?

kill -TERM "$server" && wait "$server"
case_is "the server drains" $?
server=""
"$millrace" simulate days --from 3 --count 2 --orders 30 > said.txt 2> errors.txt && grep -q '^all sound: seeds 3 to 4' said.txt &&
    grep -q 'transfers asked for$' said.txt && [ ! -s errors.txt ]
case_is "days in full are played, and told" $?
"$millrace" simulate days --count 1 --orders 30 --db sqlite:kept.db > said.txt 2> errors.txt && "$millrace" check --db sqlite:kept.db > checked.txt 2>> errors.txt
case_is "one of them is kept" $?
"$millrace" simulate days --count 1 --orders 30 --db sqlite:kept.db > said.txt 2> errors.txt
[ $? -eq 1 ] && grep -q 'the database is not empty' said.txt
case_is "a database that is somebody's is left alone" $?
"$millrace" simulate days --count 2 --db sqlite:other.db > said.txt 2> errors.txt
[ $? -eq 2 ] && [ ! -e other.db ]
case_is "two days do not fit into one database" $?
[ ${#failed[@]} -eq 0 ] && exit 0
echo "[  FAILED  ] ${#failed[@]} test(s), listed below:"
exit 1
