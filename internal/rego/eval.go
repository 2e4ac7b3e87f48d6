package rego

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/rego"
	"github.com/open-policy-agent/opa/v1/topdown"

	"github.com/crashlint/crashlint/internal/cluster"
	"github.com/crashlint/crashlint/internal/diag"
	"github.com/crashlint/crashlint/internal/manifest"
	"github.com/crashlint/crashlint/internal/rule"
)

// deadline bounds one evaluation. An ordinary one takes some 0.1 ms; a variable
// so that tests need not wait.
var deadline = 2 * time.Second

// A program is the policies of one load.
type program struct {
	options  Options
	modules  []*module
	policies []*policy
	// compile gives the same result at every call.
	compile func() *compiled
	// queries holds prepared queries by queryKey, problems the problems told, by
	// problemKey.
	queries, problems sync.Map
	// stopped are the policies, by index, that ran out of time once.
	stopped    sync.Map
	anyStopped atomic.Bool
}

func (p *program) compileAll() *compiled { return compile(p.options, p.modules) }

// A verdict is what one policy says about one workload or object.
type verdict struct {
	findings []rule.Finding
	problems []diag.Problem
}

type (
	workloadKey struct {
		program  *program
		workload *manifest.Workload
	}
	objectKey struct {
		program *program
		object  *manifest.Object
	}
)

// rule makes the rule of the i-th policy. All policies that judge the same thing
// are evaluated by one query when the first of their rules asks; the others find
// the verdict in the cluster's memory.
func (p *program) rule(i int) *rule.Rule {
	policy := p.policies[i]
	r := &rule.Rule{ID: policy.id, Title: policy.title, Since: policy.since, Severity: policy.severity}
	if policy.workload {
		r.Workload = func(pass *rule.Pass, w *manifest.Workload) {
			report(pass, cluster.Memo(pass.Cluster, workloadKey{p, w}, func() map[int]verdict {
				return p.judge(true, w.Object, func() (ast.Value, error) { return workloadInput(pass.Cluster, w) })
			})[i])
		}
		return r
	}
	r.Object = func(pass *rule.Pass, o *manifest.Object) {
		if o.Patch { // most of the object stands elsewhere
			return
		}
		report(pass, cluster.Memo(pass.Cluster, objectKey{p, o}, func() map[int]verdict {
			return p.judge(false, o, func() (ast.Value, error) { return objectInput(o) })
		})[i])
	}
	return r
}

func report(pass *rule.Pass, v verdict) {
	for _, problem := range v.problems {
		pass.Problem(problem)
	}
	for _, f := range v.findings {
		pass.Report(f)
	}
}

// judge evaluates the policies for workloads, or those for objects, and returns
// what they have to say by index.
func (p *program) judge(workload bool, o *manifest.Object, input func() (ast.Value, error)) map[int]verdict {
	var policies []int
	for i, policy := range p.policies {
		if policy.workload == workload {
			policies = append(policies, i)
		}
	}
	verdicts := map[int]verdict{}
	value, err := input()
	if err != nil {
		verdicts[policies[0]] = verdict{problems: []diag.Problem{{Message: fmt.Sprintf("policies cannot judge %s: %v", o, err)}}}
		return verdicts
	}
	if !p.anyStopped.Load() {
		if results, err := p.eval(all(workload), policies, value); err == nil {
			for k, i := range policies {
				if v := p.verdict(i, o, results[k]); len(v.findings) > 0 || len(v.problems) > 0 {
					verdicts[i] = v
				}
			}
			return verdicts
		}
	}
	// Something is wrong with one of them: ask each by itself.
	for _, i := range policies {
		if problem, ok := p.stopped.Load(i); ok {
			verdicts[i] = verdict{problems: []diag.Problem{problem.(diag.Problem)}}
			continue
		}
		results, err := p.eval(queryKey(i), []int{i}, value)
		if err == nil {
			verdicts[i] = p.verdict(i, o, results[0])
			continue
		}
		problem := p.failure(i, err)
		if isTimeout(err) {
			p.stopped.Store(i, problem)
			p.anyStopped.Store(true)
		}
		verdicts[i] = verdict{problems: []diag.Problem{problem}}
	}
	return verdicts
}

// A queryKey is the index of a policy for the query that asks it alone, or one
// of the negative numbers of all.
type queryKey int

func all(workload bool) queryKey {
	if workload {
		return -1
	}
	return -2
}

// query returns the text of the query that asks the policies: a list with, for
// each of them, the values of its entries and then the names its package makes
// exceptions for; each in a comprehension, which is empty where the value is
// undefined.
func (p *program) query(policies []int) string {
	var all []string
	for _, i := range policies {
		policy := p.policies[i]
		var values []string
		for _, e := range policy.entries {
			values = append(values, "[v | v := "+policy.ref(e.name)+"]")
		}
		if policy.excepted {
			values = append(values, "[v | v := "+policy.ref("exception")+"[_][_]]")
		}
		all = append(all, "["+strings.Join(values, ", ")+"]")
	}
	return "[" + strings.Join(all, ", ") + "]"
}

func (p *policy) ref(name string) string { return p.pkg.Append(ast.StringTerm(name)).String() }

type preparedQuery struct {
	query rego.PreparedEvalQuery
	err   error
}

// eval asks the policies, all at once, and returns a list of values for each.
func (p *program) eval(key queryKey, policies []int, input ast.Value) (out [][]any, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("OPA failed: %v", v)
		}
	}()
	prepare, ok := p.queries.Load(key)
	if !ok {
		prepare, _ = p.queries.LoadOrStore(key, sync.OnceValue(func() (out preparedQuery) {
			c := p.compile()
			if len(c.problems) > 0 && p.options.Trusted {
				return preparedQuery{err: errors.New(c.problems[0].String())}
			}
			q, err := rego.New(rego.Compiler(c.compiler), rego.Query(p.query(policies))).PrepareForEval(context.Background())
			return preparedQuery{query: q, err: err}
		}))
	}
	prepared := prepare.(func() preparedQuery)()
	if prepared.err != nil {
		return nil, prepared.err
	}
	ctx, cancel := context.WithTimeout(context.Background(), deadline)
	defer cancel()
	rs, err := prepared.query.Eval(ctx, rego.EvalParsedInput(input), rego.EvalSortSets(true))
	if err != nil {
		return nil, err
	}
	for _, values := range rs[0].Expressions[0].Value.([]any) {
		out = append(out, values.([]any))
	}
	return out, nil
}

func isTimeout(err error) bool {
	return topdown.IsCancel(err) || errors.Is(err, context.DeadlineExceeded)
}

// failure is the problem of a policy whose evaluation failed.
func (p *program) failure(i int, err error) diag.Problem {
	if isTimeout(err) {
		return p.problem(i, nil, fmt.Sprintf("policy %s was stopped: it did not come to an end within %v; look for loops over large ranges", p.policies[i].id, deadline))
	}
	var at *ast.Location
	message := err.Error()
	if e, ok := errors.AsType[*topdown.Error](err); ok {
		at, message = e.Location, oneLine(e.Message)
	}
	return p.problem(i, at, fmt.Sprintf("policy %s failed: %s", p.policies[i].id, message))
}

// problem returns a problem of the policy, the very same one each time it is
// told, so that a run says it once. Without a place it is at the policy's start.
func (p *program) problem(i int, at *ast.Location, message string) diag.Problem {
	type problemKey struct {
		policy  int
		message string
	}
	key := problemKey{i, message}
	if known, ok := p.problems.Load(key); ok {
		return known.(diag.Problem)
	}
	m := p.policies[i].module
	if at == nil {
		at = p.policies[i].at
	} else {
		for _, other := range p.modules {
			if other.file.Path == at.File {
				m = other
			}
		}
	}
	first, _ := p.problems.LoadOrStore(key, m.problem(at, message))
	return first.(diag.Problem)
}
