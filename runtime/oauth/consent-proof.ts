/**
 * The proof that the user of a run was led to the provider in this browser. It is derived from the PKCE verifier, which only
 * this server knows, so it needs no memory of its own, and is valid in the next process as long as the flow is.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { Flow } from './stored-flows.ts';

/** The address of the provider contains another hash of the verifier. */
const PURPOSE = 'fermata consent\n';

export const proofOf = ({ verifier }: Pick<Flow, 'verifier'>): string =>
  createHash('sha256').update(PURPOSE).update(verifier).digest('base64url');

export const isProofOf = (flow: Pick<Flow, 'verifier'>, given: string | undefined): boolean => {
  const [right, came] = [Buffer.from(proofOf(flow)), Buffer.from(given ?? '')];
  return right.length === came.length && timingSafeEqual(right, came);
};
