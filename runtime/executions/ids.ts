import { nanoid } from 'nanoid';

/**
 * An unguessable, URL-safe id of 21 characters. nanoid concatenates its text character by character, and V8 keeps the
 * parts as long as the text: a kilobyte for each parked execution. Copied once, it has 40 bytes.
 */
export const newId = (): string => Buffer.from(nanoid(), 'latin1').toString('latin1');
