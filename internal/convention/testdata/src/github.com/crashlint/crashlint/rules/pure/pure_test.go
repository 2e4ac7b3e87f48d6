package pure

func change() { counter++ }
