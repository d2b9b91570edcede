import { nanoid } from 'nanoid';

/**
 * An unguessable, URL-safe id of 21 characters. nanoid puts its text together character by character, and V8 keeps the
 * parts for as long as the text lives: a kilobyte for each parked execution. Written out once, it is 40 bytes.
 */
export const newId = (): string => Buffer.from(nanoid(), 'latin1').toString('latin1');
