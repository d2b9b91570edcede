/** A graph as a Mermaid state diagram. */
import type { Graph, GraphEdge, GraphNode } from './graph.ts';

export const mermaidOf = (graph: Graph): string => {
  const { nodes, edges } = graph;
  const names = new Map(nodes.map((node) => [node.id, nameOf(node, nodes)]));
  return ['stateDiagram-v2', ...inside(null, { nodes, edges, names }).map(indented)].join('\n');
};

type Drawing = Omit<Graph, 'id'> & { readonly names: ReadonlyMap<string, string> };

/** Names are unique in the whole diagram, and contain no hyphen and no dot. */
const nameOf = ({ id, key }: GraphNode, nodes: readonly GraphNode[]): string =>
  (nodes.some((other) => other.key === key && other.id !== id) ? id : key).replaceAll(/[^\w]/g, '_');

const inside = (parent: string | null, drawing: Drawing): string[] => {
  const { nodes, edges, names } = drawing;
  const children = nodes.filter((node) => node.parent === parent);
  return [
    ...children.flatMap((child) => declaration(child, drawing)),
    ...children.filter(({ isInitial }) => isInitial).map(({ id }) => `[*] --> ${names.get(id)}`),
    ...children.flatMap(({ id }) => edges.filter(({ source }) => source === id)).map((edge) => arrow(edge, drawing)),
    ...children.filter(({ isFinal }) => isFinal).map(({ id }) => `${names.get(id)} --> [*]`),
  ];
};

const declaration = ({ id, key }: GraphNode, drawing: Drawing): string[] => {
  const name = drawing.names.get(id);
  const alias = name === key ? [] : [`state "${key}" as ${name}`];
  const content = inside(id, drawing);
  return content.length === 0 ? alias : [...alias, `state ${name} {`, ...content.map(indented), '}'];
};

const arrow = ({ source, target, label }: GraphEdge, { names }: Drawing): string =>
  `${names.get(source)} --> ${names.get(target)}: ${label}`;

const indented = (line: string): string => `  ${line}`;
