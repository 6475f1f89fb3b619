# Ends one PostgreSQL server and removes its folder once the process that started it is gone, be it
# by its own will, by a panic, or by SIGKILL: standard input is a pipe of which that process, and no
# other, holds the other end.
#
# TESTBED_FOLDER  the folder of the server; its name, MARK below, is on the command line of every
#                 process of the server, as its cluster_name and in the path of its data

while read -r _; do :; done

MARK=${TESTBED_FOLDER:?}
MARK=${MARK##*/}
cd /

# Whether $1 is a process of the server, and not another that was given the same number later on.
# (A process that has ended but was not waited for has an empty command line.)
ours() {
    case $(tr '\0' ' ' 2>/dev/null <"/proc/$1/cmdline") in
    *postgres*"${MARK:?}"*) return 0 ;;
    *) return 1 ;;
    esac
}

# First politely, as far as an immediate shutdown is that: the server takes its shared memory along.
pidfile=$TESTBED_FOLDER/data/postmaster.pid
if { read -r pid; } 2>/dev/null <"$pidfile" && ours "$pid"; then
    kill -QUIT "$pid"
    kill -CONT "$pid"
    tries=200
    while [ "$tries" -gt 0 ] && ours "$pid"; do
        sleep 0.05
        tries=$((tries - 1))
    done
fi

# Then by force: what hangs, and what a crash or an unfinished start has left.
for process in /proc/[0-9]*; do
    process=${process#/proc/}
    if ours "$process"; then kill -KILL "$process"; fi
done

# A server that crashed has left its pid file, and a little shared memory that is named in line 7.
if [ -f "$pidfile" ]; then
    shared=$(sed -n '7s/^ *[0-9]* *//p' "$pidfile")
    if [ -n "$shared" ]; then ipcrm -m "$shared"; fi
fi

rm -rf "${TESTBED_FOLDER:?}"
