/** A machine as a state diagram of Mermaid: states as they are nested, and the transitions that lead elsewhere. */
import type { AnyStateMachine, AnyTransitionDefinition } from 'xstate';

type Node = AnyStateMachine['root'];

export const mermaidOf = ({ root }: AnyStateMachine): string =>
  ['stateDiagram-v2', ...insideOf(root).map((line) => `  ${line}`)].join('\n');

/** Mermaid takes no hyphen in a name. */
const nameOf = ({ key }: Node): string => key.replaceAll('-', '_');

const childrenOf = (node: Node): Node[] => Object.values(node.states);

const insideOf = (node: Node): string[] => {
  const children = childrenOf(node);
  const [initial] = node.initial?.target ?? [];
  return [
    ...children.flatMap(declarationOf),
    ...(initial === undefined ? [] : [`[*] --> ${nameOf(initial)}`]),
    ...children.flatMap((child) => transitionsOf(child)),
    ...children.filter(({ type }) => type === 'final').map((child) => `${nameOf(child)} --> [*]`),
  ];
};

const declarationOf = (node: Node): string[] => {
  const alias = nameOf(node) === node.key ? [] : [`state "${node.key}" as ${nameOf(node)}`];
  if (childrenOf(node).length === 0) return alias;
  return [...alias, `state ${nameOf(node)} {`, ...insideOf(node).map((line) => `  ${line}`), '}'];
};

const transitionsOf = (node: Node): string[] =>
  [...[...node.transitions.values()].flat(), ...(node.always ?? [])]
    .filter(({ target }) => target !== undefined)
    .map((taken) => `${nameOf(node)} --> ${nameOf(taken.target![0]!)}: ${labelOf(node, taken)}`);

const labelOf = (node: Node, { eventType, guard }: AnyTransitionDefinition): string => {
  const condition = guard === undefined ? [] : [`[${typeof guard === 'string' ? guard : 'guard'}]`];
  return [...(eventType ? [wordsOf(node, eventType)] : []), ...condition].join(' ');
};

/** XState's own events, in words. */
const wordsOf = (node: Node, type: string): string => {
  const [, kind, id] = /^xstate\.(done|error)\.actor\.(.*)$/.exec(type) ?? [];
  const invoked = node.invoke.find((definition) => definition.id === id);
  if (invoked !== undefined) return `${invoked.src} ${kind === 'done' ? 'done' : 'failed'}`;
  return /^xstate\.after\.(\w+)\./.exec(type)?.[1]?.replace(/^/, 'after ') ?? type;
};
