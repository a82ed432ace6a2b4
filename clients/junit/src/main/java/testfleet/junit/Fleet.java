package testfleet.junit;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Inherited;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * Gives the tests of a class running servers: {@code @Fleet("testfleet.yaml")}. The fleet starts with the first class that
 * has it. Its variables become system properties.
 */
@Target(ElementType.TYPE)
@Retention(RetentionPolicy.RUNTIME)
@Inherited
@Documented
@ExtendWith(TestfleetExtension.class)
public @interface Fleet {
    /** The fleet file, in the working folder or above. Without it, the command looks for one there. */
    String value() default "";

    /** Servers to start, with those that they depend on. Default: all. */
    String[] servers() default {};

    /** How far the fleet is shared. */
    Per per() default Per.RUN;

    /** How far a fleet is shared. */
    enum Per {
        /** One for all tests, and all forks of Maven. */
        RUN,
        /** One for each JVM. */
        FORK,
        /** A new one for each class. */
        CLASS
    }
}
