package cluster

import (
	"slices"

	"mvdan.cc/sh/v3/syntax"
)

// awaitedBy returns the commands without whose success a loop does not end.
func (in *interpreter) awaitedBy(loop *syntax.WhileClause) []*syntax.CallExpr {
	if !in.leaves(loop.Do) {
		return needed(last(loop.Cond), loop.Until)
	}
	if !endless(loop) {
		return nil
	}
	// while true; do A && break; sleep 1; done: the one way out decides.
	var exit *syntax.Stmt
	for _, stmt := range loop.Do {
		if in.leaves([]*syntax.Stmt{stmt}) {
			if exit != nil {
				return nil
			}
			exit = stmt
		}
	}
	if exit.Negated {
		return nil
	}
	switch cmd := exit.Cmd.(type) {
	case *syntax.IfClause:
		if in.leaves(cmd.Then) && cmd.Else == nil {
			return needed(last(cmd.Cond), true)
		}
	case *syntax.BinaryCmd:
		if !in.leaves([]*syntax.Stmt{cmd.X}) {
			return needed(cmd.X, cmd.Op == syntax.AndStmt)
		}
	}
	return nil
}

// leaves reports whether statements hold a command that leaves a loop, or may:
// a function that exits, a text that is read in.
func (in *interpreter) leaves(list []*syntax.Stmt) bool {
	return calls(list, "break", "return") || in.exits(list)
}

// exits reports whether statements hold a command that may end the shell, in the
// functions that they call as well.
func (in *interpreter) exits(list []*syntax.Stmt) bool {
	seen := map[*function]bool{}
	for list = slices.Clone(list); len(list) > 0; list = list[1:] {
		for _, name := range called(list[0]) {
			if slices.Contains([]string{"exit", "exec", "kill", "eval", ".", "source"}, name) {
				return true
			}
			if f := in.functions[name]; f != nil && !seen[f] {
				seen[f] = true
				list = append(list, f.body)
			}
		}
	}
	return false
}

// calls reports whether statements run one of the commands anywhere in them.
func calls(list []*syntax.Stmt, names ...string) bool {
	return slices.ContainsFunc(list, func(stmt *syntax.Stmt) bool {
		return slices.ContainsFunc(called(stmt), func(name string) bool { return slices.Contains(names, name) })
	})
}

// called returns the names of the commands in a statement.
func called(stmt *syntax.Stmt) []string {
	var names []string
	syntax.Walk(stmt, func(n syntax.Node) bool {
		if call, ok := n.(*syntax.CallExpr); ok && len(call.Args) > 0 {
			names = append(names, call.Args[0].Lit())
		}
		return true
	})
	return names
}

// endless reports a loop whose condition never ends it.
func endless(loop *syntax.WhileClause) bool {
	stmt := last(loop.Cond)
	if stmt == nil || len(loop.Cond) > 1 || stmt.Negated {
		return false
	}
	switch cmd := stmt.Cmd.(type) {
	case *syntax.CallExpr:
		if loop.Until {
			return len(cmd.Args) == 1 && cmd.Args[0].Lit() == "false"
		}
		switch {
		case len(cmd.Args) == 1:
			return cmd.Args[0].Lit() == "true" || cmd.Args[0].Lit() == ":"
		case len(cmd.Args) == 3: // [ 1 ]: any text is true
			return cmd.Args[0].Lit() == "[" && cmd.Args[1].Lit() != ""
		}
	case *syntax.ArithmCmd:
		w, ok := cmd.X.(*syntax.Word)
		return ok && !loop.Until && w.Lit() == "1"
	}
	return false
}

func last(list []*syntax.Stmt) *syntax.Stmt {
	if len(list) == 0 {
		return nil
	}
	return list[len(list)-1]
}

// needed returns the commands that must succeed for a statement to come to the
// status that is asked for.
func needed(stmt *syntax.Stmt, success bool) []*syntax.CallExpr {
	if stmt == nil {
		return nil
	}
	if stmt.Negated {
		success = !success
	}
	switch cmd := stmt.Cmd.(type) {
	case *syntax.CallExpr:
		if len(cmd.Args) > 0 && (cmd.Args[0].Lit() == "[" || cmd.Args[0].Lit() == "test") {
			return tested(cmd.Args[1:], success)
		}
		if success {
			return []*syntax.CallExpr{cmd}
		}
	case *syntax.TestClause:
		return testedIn(cmd.X, success)
	case *syntax.BinaryCmd:
		switch {
		case cmd.Op == syntax.AndStmt && success, cmd.Op == syntax.OrStmt && !success:
			return append(needed(cmd.X, success), needed(cmd.Y, success)...)
		case (cmd.Op == syntax.Pipe || cmd.Op == syntax.PipeAll) && success:
			// What reads the pipe wants something to read.
			return append(needed(cmd.X, true), needed(cmd.Y, true)...)
		}
	case *syntax.Block:
		return needed(last(cmd.Stmts), success)
	case *syntax.Subshell:
		return needed(last(cmd.Stmts), success)
	}
	return nil
}

// wants says for the operators of test whether the test of a command's output
// comes out as success once the command has written something.
var wants = map[string]bool{
	"-n": true, "=": true, "==": true, "-eq": true, "-gt": true, "-ge": true, "=~": true,
	"-z": false, "!=": false, "-ne": false, "-lt": false, "-le": false,
}

// tested returns the commands whose output is tested for.
func tested(args []*syntax.Word, success bool) []*syntax.CallExpr {
	for _, arg := range args {
		if wanted, ok := wants[arg.Lit()]; ok && wanted == success {
			var found []*syntax.CallExpr
			for _, arg := range args {
				found = append(found, substituted(arg)...)
			}
			return found
		}
	}
	return nil
}

// testedIn is tested for the test of [[ ]].
func testedIn(x syntax.TestExpr, success bool) []*syntax.CallExpr {
	var op string
	switch x := x.(type) {
	case *syntax.ParenTest:
		return testedIn(x.X, success)
	case *syntax.UnaryTest:
		if op = x.Op.String(); x.Op == syntax.TsNot {
			return testedIn(x.X, !success)
		}
	case *syntax.BinaryTest:
		op = x.Op.String()
	}
	if wanted, ok := wants[op]; ok && wanted == success {
		return substituted(x)
	}
	return nil
}

// substituted returns the commands of the substitutions below a node.
func substituted(n syntax.Node) []*syntax.CallExpr {
	var found []*syntax.CallExpr
	syntax.Walk(n, func(n syntax.Node) bool {
		if sub, ok := n.(*syntax.CmdSubst); ok {
			for _, stmt := range sub.Stmts {
				found = append(found, needed(stmt, true)...)
			}
			return false
		}
		return true
	})
	return found
}
