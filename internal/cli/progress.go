package cli

import (
	"os"
	"sync"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
)

// A progress is a bar on standard error that appears when the work takes longer
// than a second. It is silent where standard error is no terminal.
type progress struct {
	stream  *os.File
	started time.Time

	mu   sync.Mutex
	bars *mpb.Progress
	bar  *mpb.Bar
	name string

	stopped bool
}

func newProgress(s Streams, quiet bool) *progress {
	p := &progress{started: time.Now()}
	if f, ok := s.Err.(*os.File); ok && !quiet && isTerminal(f) {
		p.stream = f
	}
	return p
}

// phase returns the callback of one phase of the work, nil when nothing is to
// be shown.
func (p *progress) phase(name string) func(done, total int) {
	if p.stream == nil {
		return nil
	}
	return func(done, total int) {
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.stopped || p.bar == nil && time.Since(p.started) < time.Second {
			return
		}
		if p.bars == nil {
			p.bars = mpb.New(mpb.WithOutput(p.stream), mpb.WithWidth(60))
		}
		if p.name != name {
			p.drop()
			p.name = name
			p.bar = p.bars.AddBar(int64(total), mpb.BarRemoveOnComplete(),
				mpb.PrependDecorators(decor.Name(name+" ")), mpb.AppendDecorators(decor.CountersNoUnit("%d/%d")))
		}
		p.bar.SetCurrent(int64(done))
	}
}

func (p *progress) drop() {
	if p.bar != nil {
		p.bar.Abort(true)
		p.bar = nil
	}
}

// stop removes the bar before anything else is printed, for good.
func (p *progress) stop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stopped = true
	p.drop()
	if p.bars != nil {
		p.bars.Wait()
		p.bars = nil
	}
}
