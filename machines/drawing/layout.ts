/**
 * The layout of a graph, in pixels from the upper left corner. Text sizes are computed without a screen, so a server
 * and a browser produce the same layout.
 */
import elk, { type ElkEdgeSection, type ElkExtendedEdge, type ElkLabel, type ElkNode } from 'elkjs/lib/elk.bundled.js';
import type { Graph, GraphEdge, GraphNode } from './graph.ts';

export type Point = { readonly x: number; readonly y: number };
export type Box = Point & { readonly width: number; readonly height: number };

export type PlacedState = GraphNode & { readonly box: Box; readonly isLeaf: boolean };
export type PlacedEdge = GraphEdge & { readonly points: readonly Point[]; readonly labelBox: Box };
/** From the dot to the initial state. */
export type PlacedStart = { readonly state: string; readonly dot: Point; readonly points: readonly Point[] };

export type Layout = {
  /** Id of the machine. */
  readonly id: string;
  readonly width: number;
  readonly height: number;
  /** Each state after its parent, so that drawing in order draws children on top. */
  readonly states: readonly PlacedState[];
  readonly edges: readonly PlacedEdge[];
  readonly starts: readonly PlacedStart[];
};

/** Pixels. Labels use a monospaced font, names a bold sans-serif font. */
export const sizes = { nameFont: 13, labelFont: 11, dotRadius: 5, titleHeight: 34, ringWidth: 18 } as const;

const LABEL_CHARACTER_WIDTH = 6.7;
const NAME_CHARACTER_WIDTH = 7.6;
const LABEL_PADDING = 14;
const NAME_PADDING = 28;
const STATE_HEIGHT = 34;
const LABEL_HEIGHT = 19;

const options = {
  'elk.algorithm': 'layered',
  'elk.direction': 'DOWN',
  'elk.hierarchyHandling': 'INCLUDE_CHILDREN',
  'elk.edgeRouting': 'ORTHOGONAL',
  'elk.json.shapeCoords': 'ROOT',
  'elk.json.edgeCoords': 'ROOT',
  'elk.padding': '[top=16,left=16,bottom=16,right=16]',
  'elk.spacing.nodeNode': '24',
  'elk.spacing.edgeNode': '16',
  'elk.spacing.edgeEdge': '12',
  'elk.spacing.edgeLabel': '4',
  'elk.layered.spacing.nodeNodeBetweenLayers': '18',
  'elk.layered.spacing.edgeNodeBetweenLayers': '12',
  'elk.layered.spacing.edgeEdgeBetweenLayers': '10',
  'elk.layered.considerModelOrder.strategy': 'NODES_AND_EDGES',
  'elk.layered.nodePlacement.strategy': 'NETWORK_SIMPLEX',
  'elk.layered.nodePlacement.favorStraightEdges': 'true',
} as const;

export const layoutOf = async (graph: Graph): Promise<Layout> => {
  const placed = await new elk.default().layout(asElk(graph));
  const nodes = new Map(allNodes(placed).map((node) => [node.id, node]));
  const edges = new Map(allEdges(placed).map((edge) => [edge.id, edge]));
  return {
    id: graph.id,
    width: Math.ceil(placed.width ?? 0),
    height: Math.ceil(placed.height ?? 0),
    states: graph.nodes.map((node) => ({ ...node, box: boxOf(nodes.get(node.id)), isLeaf: isLeaf(node, graph) })),
    edges: graph.edges.map((edge) => {
      const found = edges.get(edge.id);
      return { ...edge, points: pointsOf(found), labelBox: boxOf(found?.labels?.[0]) };
    }),
    starts: graph.nodes
      .filter(({ isInitial }) => isInitial)
      .map(({ id }) => {
        const { x, y } = boxOf(nodes.get(dotId(id)));
        return {
          state: id,
          dot: { x: x + sizes.dotRadius, y: y + sizes.dotRadius },
          points: pointsOf(edges.get(dotId(id))),
        };
      }),
  };
};

const isLeaf = ({ id }: GraphNode, { nodes }: Graph): boolean => nodes.every(({ parent }) => parent !== id);

/** An ELK key of a state contains no space. */
const dotId = (state: string): string => ` ${state}`;

const asElk = (graph: Graph): ElkNode => ({
  id: ' ',
  layoutOptions: options,
  children: insideOf(null, graph),
  edges: [
    ...graph.nodes
      .filter(({ isInitial }) => isInitial)
      .map(({ id }) => ({ id: dotId(id), sources: [dotId(id)], targets: [id] })),
    ...graph.edges.map((edge) => asElkEdge(edge, leadsOn(edge, graph))),
  ],
});

const insideOf = (parent: string | null, graph: Graph): ElkNode[] =>
  graph.nodes
    .filter((node) => node.parent === parent)
    .flatMap((node) => [...(node.isInitial ? [dotBefore(node)] : []), asElkNode(node, graph)]);

const dotBefore = ({ id }: GraphNode): ElkNode => ({
  id: dotId(id),
  width: 2 * sizes.dotRadius,
  height: 2 * sizes.dotRadius,
  layoutOptions: { 'elk.layered.layering.layerConstraint': 'FIRST' },
});

const asElkNode = (node: GraphNode, graph: Graph): ElkNode => {
  const width = Math.ceil(node.key.length * NAME_CHARACTER_WIDTH) + NAME_PADDING + (node.isFinal ? sizes.ringWidth : 0);
  if (isLeaf(node, graph)) return { id: node.id, width, height: STATE_HEIGHT };
  return {
    id: node.id,
    children: insideOf(node.id, graph),
    layoutOptions: {
      'elk.padding': `[top=${sizes.titleHeight},left=16,bottom=16,right=16]`,
      'elk.nodeSize.constraints': 'MINIMUM_SIZE',
      'elk.nodeSize.minimum': `(${width}, ${STATE_HEIGHT})`,
    },
  };
};

/** From the state that is written first to the later one; in a cycle this is the downward direction. */
const leadsOn = ({ source, target }: GraphEdge, { nodes }: Graph): boolean =>
  nodes.findIndex(({ id }) => id === source) < nodes.findIndex(({ id }) => id === target);

const asElkEdge = ({ id, source, target, label }: GraphEdge, isDown: boolean): ElkExtendedEdge => ({
  id,
  sources: [source],
  targets: [target],
  layoutOptions: { 'elk.layered.priority.direction': isDown ? '1' : '0' },
  labels: [
    {
      text: label,
      width: Math.ceil(label.length * LABEL_CHARACTER_WIDTH) + LABEL_PADDING,
      height: LABEL_HEIGHT,
      layoutOptions: { 'elk.edgeLabels.inline': 'true' },
    },
  ],
});

const allNodes = (node: ElkNode): ElkNode[] => [node, ...(node.children ?? []).flatMap(allNodes)];
const allEdges = (node: ElkNode): ElkExtendedEdge[] => allNodes(node).flatMap(({ edges }) => edges ?? []);

const boxOf = (placed: ElkNode | ElkLabel | undefined): Box => ({
  x: placed?.x ?? 0,
  y: placed?.y ?? 0,
  width: placed?.width ?? 0,
  height: placed?.height ?? 0,
});

/** A line that crosses the border of a state may be moved by a fraction of a pixel, to be straight. */
const pointsOf = (edge: ElkExtendedEdge | undefined): Point[] => {
  const points: Point[] = [];
  for (const { x, y } of edge?.sections?.flatMap(sectionPoints) ?? []) {
    const before = points.at(-1) ?? { x, y };
    points.push({ x: isNear(x, before.x) ? before.x : x, y: isNear(y, before.y) ? before.y : y });
  }
  return points;
};

const isNear = (a: number, b: number): boolean => Math.abs(a - b) < 2;

const sectionPoints = ({ startPoint, bendPoints = [], endPoint }: ElkEdgeSection): Point[] =>
  [startPoint, ...bendPoints, endPoint].map(({ x, y }) => ({ x, y }));
