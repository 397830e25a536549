'use strict';
// Parses and binds queries with Microsoft's own Kusto parser. Reads {"tables": {name: schema}, "queries": {name: text}}
// on stdin; writes, for each query, what the parser complains of, which fields of Properties it reads, and which texts it
// compares with what. Run by infra/checks/queries.py.

require('@kusto/language-service-next/bridge.min.js');
require('@kusto/language-service-next/Kusto.Language.Bridge.min.js');

const { KustoCode, GlobalState, Symbols, Syntax } = globalThis.Kusto.Language;
const EQUAL = new Set(['EqualExpression', 'NotEqualExpression', 'EqualTildeExpression', 'BangTildeExpression']);
const IN = new Set(['InExpression', 'NotInExpression', 'InCsExpression', 'NotInCsExpression', 'HasAnyExpression']);

function globals(tables) {
  const symbols = Object.entries(tables).map(([name, schema]) => new Symbols.TableSymbol.$ctor7(name, `(${schema})`, ''));
  return GlobalState.Default.WithDatabase(new Symbols.DatabaseSymbol.ctor('workspace', symbols));
}

const is = (node, kind) => Syntax[kind] && globalThis.Bridge.is(node, Syntax[kind]);
const kind = (node) => Syntax.SyntaxKind[node.Kind] ?? globalThis.System.Enum.toString(Syntax.SyntaxKind, node.Kind);

function children(node) {
  const found = [];
  for (let index = 0; index < node.ChildCount; index += 1) {
    const child = node.GetChild(index);
    if (child !== null) found.push(child);
  }
  return found;
}

function all(node) {
  return [node, ...children(node).flatMap(all)];
}

function field(node) {
  // Properties.x and Properties["x"]
  if (is(node, 'PathExpression') && node.Expression.toString().trim() === 'Properties') {
    return node.Selector.toString().trim().replace(/^\['?"?|"?'?\]$/g, '');
  }
  if (is(node, 'ElementExpression') && node.Expression.toString().trim() === 'Properties') {
    return all(node.Selector).filter((each) => is(each, 'LiteralExpression')).map((each) => each.LiteralValue)[0];
  }
  return undefined;
}

function named(node) {
  // what is compared: a column, a field of Properties, or either within tostring(…)
  if (field(node) !== undefined) return field(node);
  if (is(node, 'FunctionCallExpression')) return all(node.ArgumentList).map(named).find((name) => name !== undefined);
  return is(node, 'NameReference') ? node.SimpleName : undefined;
}

const texts = (node) => all(node)
  .filter((each) => is(each, 'LiteralExpression') && typeof each.LiteralValue === 'string')
  .map((each) => each.LiteralValue);

function look(name, text, state) {
  const code = KustoCode.ParseAndAnalyze(text, state);
  const diagnostics = code.GetDiagnostics();
  const problems = [];
  for (let index = 0; index < diagnostics.Count; index += 1) {
    const each = diagnostics.getItem(index);
    const line = text.slice(0, each.Start).split('\n').length;
    problems.push(`line ${line}: ${each.Message}`);
  }
  const nodes = all(code.Syntax);
  const compared = nodes
    .filter((node) => EQUAL.has(kind(node)) || IN.has(kind(node)))
    .map((node) => [named(node.Left), texts(node.Right)])
    .filter(([left]) => left !== undefined);
  return { problems, compared, fields: nodes.map(field).filter((each) => each !== undefined) };
}

const { tables, queries } = JSON.parse(require('node:fs').readFileSync(0, 'utf8'));
const state = globals(tables);
const answer = Object.fromEntries(Object.entries(queries).map(([name, text]) => [name, look(name, text, state)]));
process.stdout.write(JSON.stringify(answer));
