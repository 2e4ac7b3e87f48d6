package empty // want `package empty has no rule.Family`
