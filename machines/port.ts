/** An actor without an implementation: the runtime or a test supplies one with `machine.provide`. */
import { fromPromise, type PromiseActorLogic } from 'xstate';

export const port = <Output, Input>(name: string): PromiseActorLogic<Output, Input> =>
  fromPromise<Output, Input>(() => Promise.reject(new Error(`The port ${name} was not provided.`)));
