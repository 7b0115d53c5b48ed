import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.lang.reflect.ParameterizedType;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Set;

import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.message.ApiMessageType;
import org.apache.kafka.common.message.ApiMessageType.ListenerType;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.protocol.ObjectSerializationCache;
import org.apache.kafka.common.protocol.types.BoundField;
import org.apache.kafka.common.protocol.types.Schema;
import org.apache.kafka.common.protocol.types.TaggedFields;
import org.apache.kafka.common.protocol.types.Type;

/**
 * Writes every message that a client exchanges with a broker, in every version, with Kafka's own
 * Java classes: one line each, "key side version hex", with "-" for no
 * bytes at all. Each comes twice: with every field filled,
 * and with as little as the version allows. Share groups are left out, and so are the messages and
 * versions in a file that is named.
 *
 * <pre>
 * mvn dependency:copy-dependencies -DoutputDirectory=jars   # a pom with org.apache.kafka:kafka-clients:4.3.1
 * java -cp 'jars/*' Golden.java > kafka-4.3.1.txt
 * java -cp 'older/*' Golden.java kafka-4.3.1.txt > kafka-3.9.1.txt   # the same with kafka-clients:3.9.1
 * </pre>
 */
public class Golden {
    private final short version;
    private final boolean filled;
    /** How many structures were begun, so that elements of one array differ. */
    private int structures;

    private Golden(short version, boolean filled) {
        this.version = version;
        this.filled = filled;
    }

    public static void main(String[] arguments) throws Exception {
        Set<String> known = new HashSet<>();
        for (String file : arguments) {
            for (String line : Files.readAllLines(Path.of(file))) {
                known.add(line.substring(0, line.lastIndexOf(' ')));
            }
        }
        for (ApiMessageType api : ApiMessageType.values()) {
            boolean forClients = api.listeners().contains(ListenerType.BROKER);
            if (!forClients || api.name.contains("Share") || api.highestSupportedVersion(false) < 0) {
                continue;
            }
            for (short v = api.lowestSupportedVersion(); v <= api.highestSupportedVersion(false); v++) {
                for (boolean filled : new boolean[] {true, false}) {
                    String request = api.apiKey() + " request " + v;
                    String response = api.apiKey() + " response " + v;
                    if (!known.contains(request)) {
                        print(request, v, new Golden(v, filled).fill(api.newRequest()));
                        print(response, v, new Golden(v, filled).fill(api.newResponse()));
                    }
                }
            }
        }
    }

    private static void print(String what, short version, Object content) {
        ApiMessage message = (ApiMessage) content;
        ObjectSerializationCache cache = new ObjectSerializationCache();
        ByteBuffer buffer = ByteBuffer.allocate(message.size(cache, version));
        message.write(new ByteBufferAccessor(buffer), cache, version);
        String hex = HexFormat.of().formatHex(buffer.array());
        System.out.println(what + " " + (hex.isEmpty() ? "-" : hex));
    }

    /** Gives a value to every field that the version has. */
    private Object fill(Object structure) throws Exception {
        structures++;
        Map<String, Type> types = types(structure.getClass());
        for (Field field : structure.getClass().getDeclaredFields()) {
            Type type = types.get(snake(field.getName()));
            if (type == null || Modifier.isStatic(field.getModifiers())) {
                continue;
            }
            field.setAccessible(true);
            // Absent records are left out: they are written as empty on purpose, as clients stumble over them.
            boolean absent = !filled && type.isNullable() && !type.toString().contains("RECORDS");
            field.set(structure, absent ? null : value(field.getName(), field.getType(), field.getGenericType()));
        }
        return structure;
    }

    /** The fields that a structure has in this version. */
    private Map<String, Type> types(Class<?> structure) throws Exception {
        Map<String, Type> types = new HashMap<>();
        Schema schema = (Schema) structure.getField("SCHEMA_" + version).get(null);
        for (BoundField field : schema.fields()) {
            if (!(field.def.type instanceof TaggedFields)) {
                types.put(field.def.name, field.def.type);
            } else if (filled) {
                tagged((TaggedFields) field.def.type).forEach(tagged -> types.put(tagged.name, tagged.type));
            }
        }
        return types;
    }

    /** Older versions of Kafka have them private. */
    @SuppressWarnings("unchecked")
    private static Collection<org.apache.kafka.common.protocol.types.Field> tagged(TaggedFields type) throws Exception {
        Field fields = TaggedFields.class.getDeclaredField("fields");
        fields.setAccessible(true);
        return ((Map<Integer, org.apache.kafka.common.protocol.types.Field>) fields.get(type)).values();
    }

    private static String snake(String camel) {
        return camel.replaceAll("([A-Z])", "_$1").toLowerCase();
    }

    /** A value that differs from field to field; small enough for any integer that is not negative. */
    private Object value(String name, Class<?> type, java.lang.reflect.Type generic) throws Exception {
        int number = Math.floorMod(name.hashCode() + 31 * structures, 0x7fff) + 1;
        if (type == byte.class || type == Byte.class) return (byte) (number % 0x7f);
        if (type == short.class || type == Short.class) return (short) number;
        if (type == int.class || type == Integer.class) return number;
        if (type == long.class || type == Long.class) return 0x100000000L + number;
        if (type == double.class) return number / 8.0;
        if (type == boolean.class) return filled;
        if (type == String.class) return filled ? name.charAt(0) + "é" + structures : "";
        if (type == Uuid.class) return new Uuid(number, structures);
        byte[] bytes = filled ? name.getBytes(StandardCharsets.UTF_8) : new byte[0];
        if (type == byte[].class) return bytes;
        if (type == ByteBuffer.class) return ByteBuffer.wrap(bytes);
        if (type.getSimpleName().equals("BaseRecords")) return records(type, bytes);
        if (Collection.class.isAssignableFrom(type)) return elements(name, type, generic);
        return fill(type.getDeclaredConstructor().newInstance());
    }

    /** Records that are not looked into; their class has moved between versions of Kafka. */
    private static Object records(Class<?> base, byte[] bytes) throws Exception {
        Class<?> memory = Class.forName(base.getPackageName() + ".MemoryRecords");
        return memory.getMethod("readableRecords", ByteBuffer.class).invoke(null, ByteBuffer.wrap(bytes));
    }

    @SuppressWarnings("unchecked")
    private Object elements(String name, Class<?> type, java.lang.reflect.Type generic) throws Exception {
        boolean plain = type == List.class;
        Collection<Object> out = plain ? new ArrayList<>() : (Collection<Object>) type.getConstructor().newInstance();
        java.lang.reflect.Type parameters = plain ? generic : type.getGenericSuperclass();
        Class<?> element = (Class<?>) ((ParameterizedType) parameters).getActualTypeArguments()[0];
        for (int i = 0; filled && i < 2; i++) {
            out.add(value(name + i, element, element));
        }
        return out;
    }
}
