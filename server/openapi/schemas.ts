/** The schemas of an OpenAPI document. */
import { z } from 'zod';
import type { JsonSchema } from '../../runtime/index.ts';
import type { Content, Schema } from '../http/about.ts';

const PLACE = '#/components/schemas/';

/** Collects the named schemas of all contents, and refers to them. Each name has one schema. */
export class Schemas {
  readonly #named = new Map<string, JsonSchema>();

  /** Sorted by name. */
  get all(): Readonly<Record<string, JsonSchema>> {
    return Object.fromEntries([...this.#named].sort(([one], [other]) => (one < other ? -1 : 1)));
  }

  /** Throws for two schemas with one name, and for a zod schema that contains itself and has no name. */
  contentOf(content: Content): Record<string, { readonly schema: JsonSchema }> {
    return Object.fromEntries(Object.entries(content).map(([type, schema]) => [type, { schema: this.#shown(schema) }]));
  }

  #shown(schema: Schema): JsonSchema {
    if (!(schema instanceof z.ZodType)) {
      const place = PLACE + schema.name;
      this.#add(
        schema.name,
        moved(schema.schema, (ref) => place + ref.slice('#'.length)),
      );
      return { $ref: place };
    }
    // As input: replies have no transforms, and may get more members in later versions.
    const { $defs = {}, ...whole } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
    for (const [name, part] of Object.entries($defs)) this.#add(name, moved(part, namedPlace));
    return moved(whole, namedPlace);
  }

  #add(name: string, schema: JsonSchema): void {
    const known = this.#named.get(name);
    if (known !== undefined && JSON.stringify(known) !== JSON.stringify(schema)) {
      throw new Error(`Two schemas are named ${name}: give one of them another id.`);
    }
    this.#named.set(name, schema);
  }
}

/** The place of a named part of a zod schema. zod gives names to nameless parts that contain themselves. */
const namedPlace = (ref: string): string => {
  const [, name] = /^#\/\$defs\/(?!__schema\d)(.+)$/.exec(ref) ?? [];
  if (name === undefined) throw new Error('A schema that contains itself needs a name: meta({ id }).');
  return PLACE + name;
};

/** With its references at another place. */
const moved = ({ $schema: _, $id: __, ...schema }: JsonSchema, place: (ref: string) => string): JsonSchema =>
  JSON.parse(JSON.stringify(schema), (key, value: unknown) =>
    key === '$ref' && typeof value === 'string' && value.startsWith('#') ? place(value) : value,
  ) as JsonSchema;
