package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"github.com/riverqueue/river/rivertype"

	"github.com/atalaya-isr/atalaya/store"
)

// attempts is how often a job may fail before it is given up and reported. Only an error of its own counts: a process that
// was killed says nothing against the job that it was doing.
const attempts = 4

// jobArgs is a job as River takes it: any kind, any JSON.
type jobArgs struct {
	kind string
	raw  json.RawMessage
}

func (a jobArgs) Kind() string                 { return a.kind }
func (a jobArgs) MarshalJSON() ([]byte, error) { return a.raw, nil }
func (a *jobArgs) UnmarshalJSON(b []byte) error {
	a.raw = slices.Clone(b)
	return nil
}

// enqueue inserts jobs in the transaction of the event that causes them. Uniqueness is tested here, by the one writer, and
// against waiting jobs only: a job that runs already may have read the record before this event, so it must run again.
func (db *DB) enqueue(ctx context.Context, tx *sql.Tx, jobs []store.Job) error {
	var many []river.InsertManyParams
	for _, j := range jobs {
		args := j.Args
		if len(args) == 0 {
			args = json.RawMessage("{}")
		}
		if j.Unique {
			var n int
			err := tx.QueryRowContext(ctx, `SELECT count(*) FROM river_job WHERE state IN ('available', 'pending', 'retryable', 'scheduled') AND +kind = ? AND args = jsonb(?)`, j.Kind, string(args)).Scan(&n)
			if err != nil {
				return err
			}
			if n > 0 || slices.ContainsFunc(many, func(p river.InsertManyParams) bool {
				a := p.Args.(jobArgs)
				return a.kind == j.Kind && string(a.raw) == string(args)
			}) {
				continue
			}
		}
		many = append(many, river.InsertManyParams{Args: jobArgs{j.Kind, args}, InsertOpts: &river.InsertOpts{MaxAttempts: attempts}})
	}
	if len(many) == 0 {
		return nil
	}
	_, err := db.queue.InsertManyTx(ctx, tx, many)
	return err
}

// Pending counts jobs that are waiting or running.
func (db *DB) Pending(ctx context.Context) (n int, err error) {
	err = db.r.QueryRowContext(ctx, `SELECT count(*) FROM river_job WHERE state IN ('available', 'running', 'retryable', 'scheduled', 'pending')`).Scan(&n)
	return n, db.plain("pending", err)
}

// Worker does one job. A worker must be repeatable: it may be run again after a crash.
type Worker = func(ctx context.Context, args json.RawMessage) error

// WorkOptions say how jobs are worked. The zero value is good.
type WorkOptions struct {
	Parallel int // jobs at once; 0 is 2
	// GivenUp is told of a job that failed for good; nil ignores it.
	GivenUp func(kind string, args json.RawMessage, err error)
}

// Work works jobs until ctx ends. One process at a time works the jobs of a folder; another waits here until it may. Jobs that
// were running when a process died are run again at once.
func (db *DB) Work(ctx context.Context, workers map[string]Worker, opts WorkOptions) error {
	release, err := db.lockWait(ctx, workLock)
	if err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return err
	}
	defer release()
	return db.work(ctx, workers, opts)
}

// LostJob is a job that was given up: it failed as often as it may.
type LostJob struct {
	Kind string
	Args json.RawMessage
	Why  error // its last
}

func (l LostJob) Error() string { return fmt.Sprintf("job %s %.200s: %v", l.Kind, l.Args, l.Why) }
func (l LostJob) Unwrap() error { return l.Why }

// LostJobs is the error of a Drain that went well but for the jobs that it lists.
type LostJobs []LostJob

func (l LostJobs) Error() string {
	said := make([]string, len(l))
	for i, j := range l {
		said[i] = j.Error()
	}
	return strings.Join(said, "; ")
}

func (l LostJobs) Unwrap() []error {
	errs := make([]error, len(l))
	for i, j := range l {
		errs[i] = j
	}
	return errs
}

// Drain works jobs until none is waiting, here or in the process that holds the queue. Those that were given up here meanwhile
// are its error, of type LostJobs where nothing else went wrong.
func (db *DB) Drain(ctx context.Context, workers map[string]Worker, opts WorkOptions) error {
	var mu sync.Mutex
	var lost LostJobs
	told := opts.GivenUp
	opts.GivenUp = func(kind string, args json.RawMessage, err error) {
		mu.Lock()
		lost = append(lost, LostJob{kind, slices.Clone(args), err})
		mu.Unlock()
		if told != nil {
			told(kind, args, err)
		}
	}
	for {
		if n, err := db.Pending(ctx); n == 0 || err != nil {
			mu.Lock()
			defer mu.Unlock()
			if err == nil && len(lost) > 0 {
				return lost
			}
			return err
		}
		release, ok, err := db.lock(ctx, workLock, "EXCLUSIVE")
		if err != nil {
			return err
		}
		if ok {
			err = db.drainHere(ctx, workers, opts)
			release()
			if err != nil {
				return err
			}
			continue
		}
		if err := pause(ctx, 20*time.Millisecond); err != nil {
			return err
		}
	}
}

// drainHere works until nothing is pending.
func (db *DB) drainHere(ctx context.Context, workers map[string]Worker, opts WorkOptions) error {
	wctx, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- db.work(wctx, workers, opts) }()
	var err error
	for n := 1; n > 0 && err == nil; {
		select {
		case err := <-ended:
			stop()
			return errors.Join(err, ctx.Err())
		case <-time.After(10 * time.Millisecond):
		}
		n, err = db.Pending(ctx)
	}
	stop()
	return errors.Join(err, <-ended)
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// work runs River on the writing connection. The caller holds the work lock.
func (db *DB) work(ctx context.Context, workers map[string]Worker, opts WorkOptions) error {
	if err := db.rescue(ctx); err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return db.plain("work", err)
	}
	bundle := river.NewWorkers()
	for kind, w := range workers {
		river.AddWorkerArgs(bundle, jobArgs{kind: kind}, river.WorkFunc(func(jctx context.Context, j *river.Job[jobArgs]) error {
			err := w(jctx, j.Args.raw)
			if err != nil && ctx.Err() != nil {
				return river.JobSnooze(0) // stopped, not failed: it costs no attempt
			}
			return err
		}))
	}
	if opts.Parallel <= 0 {
		opts.Parallel = 2
	}
	client, err := river.NewClient(riversqlite.New(db.w), &river.Config{
		Queues:            map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: opts.Parallel}},
		Workers:           bundle,
		FetchPollInterval: 50 * time.Millisecond,
		FetchCooldown:     5 * time.Millisecond,
		JobTimeout:        -1, // an estimator may take long
		PollOnly:          true,
		// One process works the jobs, which the lock sees to; an elected leader would only have to be waited for after a crash.
		LeaderElectionDisabled: true,
		RetryPolicy:            soon{},
		ErrorHandler:           givenUp{opts.GivenUp},
		SoftStopTimeout:        100 * time.Millisecond,
		Logger:                 db.opts.Logger,
	})
	if err != nil {
		return err
	}
	// The context given to Start stops the client softly, then hard, when it ends.
	if err := client.Start(ctx); err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return err
	}
	hourly := time.NewTicker(time.Hour)
	defer hourly.Stop()
	for {
		select {
		case <-client.Stopped():
			return nil
		case <-hourly.C:
			if err := db.tidy(ctx); err != nil {
				db.opts.Logger.Warn("old jobs could not be dropped", "error", err)
			}
		}
	}
}

// ownErrors is SQL: how often a job failed by an error of its own. An attempt that ended with its process has left none.
const ownErrors = `coalesce(json_array_length(errors), 0)`

// rescue puts back what a dead process left running, and hands back the attempt: however often processes are killed, what they
// were doing is done in the end. The job goes behind those that wait, so that one that ends its process itself does not keep
// the others from being done. What an earlier version gave up because its process had died is put back too.
func (db *DB) rescue(ctx context.Context) error {
	err := db.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		for _, q := range []string{
			`UPDATE river_job SET state = 'available', scheduled_at = datetime('now', 'subsec') WHERE state = 'retryable'`,
			`UPDATE river_job SET state = 'available', scheduled_at = datetime('now', 'subsec'), finalized_at = NULL, attempt = min(` + ownErrors + `, max_attempts - 1)
			 WHERE state = 'running' OR state = 'discarded' AND ` + ownErrors + ` < max_attempts`,
		} {
			if _, err := tx.ExecContext(ctx, q); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return db.tidy(ctx)
}

// tidy drops what River keeps of old jobs: done ones for a day, given-up ones for thirty.
func (db *DB) tidy(ctx context.Context) error {
	return db.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		for _, q := range []string{
			`DELETE FROM river_job WHERE state = 'completed' AND finalized_at < datetime('now', '-1 day')`,
			`DELETE FROM river_job WHERE state IN ('cancelled', 'discarded') AND finalized_at < datetime('now', '-30 days')`,
			`DELETE FROM river_notification`,
		} {
			if _, err := tx.ExecContext(ctx, q); err != nil {
				return err
			}
		}
		return nil
	})
}

// GivenUp lists the jobs that failed for good and have not been tried again since, oldest first.
func (db *DB) GivenUp(ctx context.Context) ([]LostJob, error) {
	var out []LostJob
	err := each(ctx, db.r, `SELECT kind, json(args), coalesce(errors->>'$[#-1].error', 'its process died each time') FROM river_job WHERE state = 'discarded' ORDER BY id`, nil, func(s scanner) error {
		var kind, args, why string
		err := s.Scan(&kind, &args, &why)
		out = append(out, LostJob{kind, json.RawMessage(args), errors.New(strings.TrimSpace(why))})
		return err
	})
	return out, db.plain("jobs", err)
}

// TryAgain gives one more attempt to those of the jobs that were given up that which picks: what they lacked (a raw file, space
// on the disk) may be there now.
func (db *DB) TryAgain(ctx context.Context, which func(LostJob) bool) (n int, err error) {
	err = db.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		var ids []int64
		err := each(ctx, tx, `SELECT id, kind, json(args) FROM river_job WHERE state = 'discarded'`, nil, func(s scanner) error {
			var id int64
			var kind, args string
			if err := s.Scan(&id, &kind, &args); err != nil {
				return err
			}
			if which(LostJob{Kind: kind, Args: json.RawMessage(args)}) {
				ids = append(ids, id)
			}
			return nil
		})
		for _, id := range ids {
			if err == nil {
				_, err = tx.ExecContext(ctx, `UPDATE river_job SET state = 'available', scheduled_at = datetime('now', 'subsec'), finalized_at = NULL, attempt = min(`+ownErrors+`, max_attempts - 1) WHERE id = ?`, id)
			}
		}
		n = len(ids)
		return err
	})
	return n, db.plain("jobs", err)
}

// soon retries after 40, 160 and 640 ms: what fails for longer is not helped by waiting. Delays below River's scheduling interval need no leader.
type soon struct{}

func (soon) NextRetry(j *rivertype.JobRow) time.Time {
	return time.Now().Add(10 * time.Millisecond << (2 * min(j.Attempt, 3)))
}

// givenUp passes on errors of the last attempt.
type givenUp struct {
	tell func(string, json.RawMessage, error)
}

func (g givenUp) HandleError(_ context.Context, j *rivertype.JobRow, err error) *river.ErrorHandlerResult {
	if g.tell != nil && j.Attempt >= j.MaxAttempts {
		g.tell(j.Kind, j.EncodedArgs, err)
	}
	return nil
}

func (g givenUp) HandlePanic(ctx context.Context, j *rivertype.JobRow, v any, trace string) *river.ErrorHandlerResult {
	return g.HandleError(ctx, j, fmt.Errorf("panic: %v", v))
}
