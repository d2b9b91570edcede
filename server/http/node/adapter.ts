/** HTTP by node:http, and sockets by `ws`: for machines that cannot load the faster library. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, Server as NetServer, type Socket } from 'node:net';
import type { Adapter, AdapterOptions, AdapterServer } from '../adapter.ts';
import { bind, type Taken } from '../bind.ts';
import { Connection } from './connection.ts';
import { noTunnel, refusalOf } from './refusals.ts';
import { NodeRequest } from './request.ts';
import { NodeSockets } from './sockets.ts';
import { readTarget } from './target.ts';
import { withoutUpgrade } from './upgrade.ts';

/** Timeout of the head of a request, and of an idle connection after a reply. */
const IDLE_MS = 10_000;

/** Interval of the checks. */
const CHECK_MS = 2_000;

/** Added to the timeout of a body: the server itself answers slow bodies. */
const MORE_MS = 60_000;

/** Unsent bytes at which a socket counts as full. */
const HIGH_WATER_BYTES = 128 * 1024;

export const nodeAdapter: Adapter = { name: 'node', create: (options) => new NodeAdapterServer(options) };

class NodeAdapterServer implements AdapterServer {
  readonly #options: AdapterOptions;
  readonly #sockets: NodeSockets;
  readonly #connections = new Map<Socket, Connection>();
  readonly #servers: Server[] = [];

  constructor(options: AdapterOptions) {
    this.#options = options;
    this.#sockets = new NodeSockets(options.sockets);
  }

  listen(host: string, port: number) {
    return bind(host, port, (address, wanted) => this.#take(address, wanted));
  }

  close(): void {
    for (const connection of [...this.#connections.values()]) connection.cut();
    for (const server of this.#servers) server.close();
  }

  #take(address: string, port: number): Promise<Taken> {
    const server = this.#create();
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen({ host: address, port, exclusive: true }, () => {
        this.#servers.push(server);
        // http.Server's own function would also end idle connections whose last request may be in transit.
        const release = (): void => void NetServer.prototype.close.call(server);
        resolve({ port: (server.address() as AddressInfo).port, release });
      });
    });
  }

  #create(): Server {
    const { maxHeaderBytes, requestTimeoutMs } = this.#options;
    const server = createServer({
      maxHeaderSize: maxHeaderBytes,
      insecureHTTPParser: false,
      requireHostHeader: false, // handled here: otherwise requests after a refused one would be served
      headersTimeout: IDLE_MS,
      keepAliveTimeout: IDLE_MS,
      requestTimeout: requestTimeoutMs + MORE_MS,
      connectionsCheckingInterval: CHECK_MS,
      highWaterMark: HIGH_WATER_BYTES,
    });
    server.maxHeadersCount = 0; // further ones would be dropped silently; their bytes are limited
    server.on('connection', (socket) => this.#connect(socket));
    server.on('request', (req, res) => this.#serve(req, res, false));
    server.on('checkContinue', (req, res) => this.#serve(req, res, true));
    server.on('checkExpectation', (req, res) => this.#serve(req, res, false));
    server.on('connect', (_, socket) => {
      const connection = this.#connections.get(socket as Socket);
      connection?.detached(() => connection.refuse(noTunnel));
    });
    server.on('upgrade', (req, socket, first) => this.#upgrade(server, req, socket as Socket, first));
    server.on('clientError', (error: Error & { code?: string }, socket) => {
      const connection = this.#connections.get(socket as Socket);
      if (connection === undefined || error.code === 'ECONNRESET' || !socket.writable) socket.destroy();
      else connection.refuse(refusalOf(error));
    });
    return server;
  }

  #connect(socket: Socket): void {
    if (this.#connections.has(socket)) return; // its upgrade was not accepted
    const connection = new Connection(socket, (request) => this.#options.serve(request));
    this.#connections.set(socket, connection);
    socket.on('error', ignore);
    socket.on('end', () => connection.ended());
    socket.on('close', () => {
      connection.cut();
      this.#connections.delete(socket);
    });
  }

  #serve(req: IncomingMessage, res: ServerResponse, awaitsContinue: boolean): void {
    const connection = this.#connections.get(req.socket);
    if (connection === undefined) return;
    const request = new NodeRequest(req, res, connection, awaitsContinue);
    res.on('finish', () => connection.replied());
    connection.add(request);
  }

  /** Earlier requests of the connection get their replies first. */
  #upgrade(server: Server, req: IncomingMessage, socket: Socket, first: Buffer): void {
    const connection = this.#connections.get(socket);
    if (connection === undefined) return void socket.destroy();
    const target = readTarget(req.url ?? '');
    connection.detached(() => {
      if (this.#sockets.opens(req, target)) this.#sockets.open(req, target, socket, first, connection);
      else {
        socket.unshift(Buffer.concat([withoutUpgrade(req), first]));
        server.emit('connection', socket);
      }
    });
  }
}

const ignore = (): void => {};
